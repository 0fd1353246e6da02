-- Nobody else reads or writes the table until the transaction ends.
LOCK TABLE ONLY :"schema".:"table" IN ACCESS EXCLUSIVE MODE
