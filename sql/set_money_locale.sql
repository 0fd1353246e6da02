-- How money is written and read: as the rows of a backup are.
SET lc_monetary = 'C'
