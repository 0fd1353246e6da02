create index concurrently if not exists i on s."T" (a);
reindex (concurrently) index i;
select :'a', :"b", :{?c}, :d \; x;
