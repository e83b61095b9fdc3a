-- Administrative calls: who asked for what, and the status that was answered. Only ever added to; old rows go by age.
create table audit_entry (
  position bigint generated always as identity primary key,
  at timestamptz not null,
  request_id text not null,
  user_name text not null,
  role text not null,
  address text not null,
  method text not null,
  path text not null,
  status int not null
);
create index audit_entry_at on audit_entry (at);
