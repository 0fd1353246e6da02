copy a from stdin; copy b from stdin;
1	2
\.
'
\.
cho x \\ 'é' -- c- y
;