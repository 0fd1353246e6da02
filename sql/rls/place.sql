-- Whether a row "r" is this one.
r.tableoid = :'table' AND r.ctid = :'place'
