-- The first outcome of a copy stood for good, also where that was to keep it until another controller had decided. So the
-- certificate of a copy that went in a later run still said that it was kept.
set role sluice_owner;

grant update (store, outcome, ground, rows_before, rows_after, done_at) on sluice.erasure_outcome to sluice_app;

reset role;
