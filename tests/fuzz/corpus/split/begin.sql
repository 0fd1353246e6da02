begin;
\restrict x
\set ON_ERROR_STOP on
create function f() returns int begin atomic select case when 1 = 1 then 1 end; end;
commit;
