-- Events to be sent, written in the transaction that causes them; the relay marks them. Column names follow Debezium's outbox router.
create table outbox (
  seq bigint generated always as identity primary key,
  id uuid not null unique,
  aggregatetype text not null,
  aggregateid text not null,
  type text not null,
  topic text not null,
  dataschema text not null,
  payload jsonb not null,
  headers jsonb not null default '{}',
  occurred_at timestamptz not null,
  published_at timestamptz,
  attempts int not null default 0,
  last_error text
);
create index outbox_pending on outbox (seq) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;

-- Events that a consumer has handled, written in the transaction of their effect: a redelivery finds its row and does nothing.
create table inbox (
  consumer text not null,
  source text not null,
  event_id text not null,
  processed_at timestamptz not null,
  primary key (consumer, source, event_id)
);
create index inbox_processed on inbox (processed_at);

-- Answers already given, by the caller's idempotency key.
create table idempotency (
  key text primary key,
  answer jsonb,
  created_at timestamptz not null
);
create index idempotency_created on idempotency (created_at);
