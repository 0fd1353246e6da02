-- Forgets what currval and lastval would answer.
DISCARD SEQUENCES
