-- All rows go, whoever's they are.
TRUNCATE :relation
