-- What was made of an exchange is asked for on the page of each: without reading every input of every return.
set role sluice_owner;

create index return_input_of on sluice.return_input (input_id);

reset role;
