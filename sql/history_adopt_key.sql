-- Make the version the primary key. Nothing comes back.
ALTER TABLE :"schema".:"table" ADD PRIMARY KEY (version)
