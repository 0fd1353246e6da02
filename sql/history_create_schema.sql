-- Create the schema of the history table. Nothing comes back.
CREATE SCHEMA IF NOT EXISTS :"schema"
