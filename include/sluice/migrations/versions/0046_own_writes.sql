-- Under a key of a KMS an ETag is no MD5, so what an erasure had put was taken for an arrival. Rows from before keep their
-- MD5 and are known by their version; of one whose worker died in the second between putting and noting that, the
-- erasure that goes on notes the hash again before it looks.
set role sluice_owner;

alter table sluice.own_write rename column etag to sha256;
comment on column sluice.own_write.sha256 is 'Of its bytes, as the object says it; of rows from before migration 0046 their MD5.';

reset role;
