-- Which runs OpenLineage was told of: a run that is resumed ends again, as a run of its own.
create table openlineage_run (
  run_id text collate "C" primary key,
  started boolean not null,
  finishes int not null
);

-- Events that are yet to be posted to an OpenLineage endpoint; what was given up is kept for a while.
create table openlineage_delivery (
  id bigint generated always as identity primary key,
  body text not null,
  attempts int not null default 0,
  -- due then; while an attempt is under way: when it must have been lost
  attempt_at timestamptz not null,
  last_error text not null default '',
  created_at timestamptz not null,
  dead_at timestamptz
);
create index openlineage_delivery_due on openlineage_delivery (id) where dead_at is null;
