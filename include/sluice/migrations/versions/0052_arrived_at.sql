-- A file that was put before a correction, and was met after it because nobody looked meanwhile, counted as the younger
-- word. Of what was opened before, only the moment at which it was met is known.
set role sluice_owner;

alter table sluice.exchange add column arrived_at timestamptz;
comment on column sluice.exchange.arrived_at is
    'When the store took the file, by the clock of the store (whole seconds); null where none arrived, and for files '
    'from before this column. It decides which of two files is the younger; every term runs from opened_at.';

reset role;
