-- Take the right to change the log from everybody, its owner included: lines are only added. Nothing comes back.
REVOKE UPDATE, DELETE, TRUNCATE ON TABLE :"schema".:"log" FROM PUBLIC, CURRENT_USER
