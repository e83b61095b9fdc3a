-- The durable event log of the embedded host: one partition per topic, `seq` is the offset (unique over all topics, so a topic's offsets have gaps).
create table log_record (
  topic text not null,
  seq bigint generated always as identity,
  key text,
  value bytea,
  headers jsonb not null,
  at timestamptz not null,
  primary key (topic, seq)
);

-- The next offset that a group reads.
create table log_offset (
  group_name text not null,
  topic text not null,
  next_seq bigint not null,
  primary key (group_name, topic)
);
