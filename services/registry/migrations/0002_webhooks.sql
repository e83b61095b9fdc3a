create table webhook (
  id text collate "C" primary key,
  name text not null,
  description text not null default '',
  url text not null,
  -- such as model_version.created
  events text[] not null check (cardinality(events) > 0),
  status text not null check (status in ('ACTIVE', 'DISABLED')),
  -- encrypted; it never leaves the registry except as a signature
  secret bytea,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  check (deleted_at is null or secret is null)
);
create index webhook_newest on webhook (created_at desc, id desc) where deleted_at is null;

-- One row per event and webhook, written with the change that it tells of. Its id is what the receiver knows the delivery by, over all attempts.
create table webhook_delivery (
  id uuid primary key default gen_random_uuid(),
  webhook_id text collate "C" not null references webhook (id),
  event text not null,
  body text not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts int not null default 0,
  -- due then; while an attempt is under way: when it must have been lost
  attempt_at timestamptz not null,
  last_status int,
  last_error text not null default '',
  created_at timestamptz not null,
  -- its time to be delivered runs from here: anew for one that is sent again by hand
  queued_at timestamptz not null,
  finished_at timestamptz,
  check ((status = 'pending') = (finished_at is null))
);
create index webhook_delivery_due on webhook_delivery (attempt_at, webhook_id) where status = 'pending';
create index webhook_delivery_due_of on webhook_delivery (webhook_id, attempt_at) where status = 'pending';
create index webhook_delivery_newest on webhook_delivery (webhook_id, created_at desc, id desc);
create index webhook_delivery_finished on webhook_delivery (finished_at) where finished_at is not null;
