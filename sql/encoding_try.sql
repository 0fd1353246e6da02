-- Fails where the database's encoding lacks a character of the text $1. One row of no interest.
SELECT pg_catalog.octet_length($1)
