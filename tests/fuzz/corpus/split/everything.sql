-- hello
/* block /* nested */ ; */
\restrict abc
SET x = 1; select 'a;b' || E'\';' , "q;""x" ; \echo hi 'x y' \\ select 2;
create function f() returns int begin atomic select 1; select 2; end;
create rule r as on insert to t do (select 1; select 2);
do $a$ begin $b$;$b$ ; end $a$;

COPY a (x, "from") FROM stdin; copy b from STDIN;
1	a;'
\.
2
\.
select :'x', :"y", :z, a[1:n] -- tail ; :'no'
 , x::int;
select $1, 'é' || 'ü'; select 3;;
select 'last' -- end
-- more
