set standard_conforming_strings = off;
select 'a\';b';
reset all;
select 'a\';b;
