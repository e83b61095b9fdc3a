create table registered_model (
  id bigint generated always as identity primary key,
  name text collate "C" not null constraint registered_model_name unique,
  description text not null default '',
  tags jsonb not null default '{}',
  user_id text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- One row per model name for ever: it outlives deletion and renaming, so that generations and version numbers never start again.
-- Its lock is what makes the changes of one model happen one after another.
create table serving (
  model text collate "C" primary key,
  generation bigint not null default 0,
  last_version int not null default 0,
  -- exactly the record that was published; null until there was one
  state jsonb,
  check ((generation = 0) = (state is null))
);

create table model_version (
  id bigint generated always as identity primary key,
  model_id bigint not null references registered_model (id) on delete cascade,
  version int not null,
  stage text not null default 'None' check (stage in ('None', 'Staging', 'Production', 'Archived')),
  status text not null default 'PENDING_REGISTRATION' check (status in ('PENDING_REGISTRATION', 'READY', 'FAILED_REGISTRATION')),
  status_message text not null default '',
  description text not null default '',
  source text not null,
  -- where the files lie, once a reference such as models:/m-… is followed
  storage_location text not null,
  -- what tracking is asked to seal; null where there is nothing that it could
  seal_source text,
  run_id text not null default '',
  run_link text not null default '',
  logged_model_id text,
  user_id text not null,
  tags jsonb not null default '{}',
  automatic boolean not null default false,
  -- the run as it was when it registered itself
  run jsonb,
  pin_holder text not null,
  -- digest that sealing must give, where the version is a copy of another
  expected_sha256 text,
  artifact jsonb,
  signature jsonb,
  servable boolean not null default false,
  unservable_reason text,
  predecessor int,
  promoted_at timestamptz,
  attempts int not null default 0,
  attempt_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  constraint model_version_number unique (model_id, version),
  check (not servable or artifact is not null)
);
create unique index model_version_one_production on model_version (model_id) where stage = 'Production' and deleted_at is null;
create index model_version_latest on model_version (model_id, stage, version desc) where deleted_at is null;
create index model_version_pending on model_version (attempt_at) where status = 'PENDING_REGISTRATION' and deleted_at is null;
create index model_version_run on model_version (run_id) where deleted_at is null;
create index model_version_recent on model_version (updated_at desc) where deleted_at is null;

create table model_alias (
  model_id bigint not null,
  alias text collate "C" not null,
  version int not null,
  primary key (model_id, alias),
  foreign key (model_id, version) references model_version (model_id, version) on delete cascade
);
create index model_alias_version on model_alias (model_id, version);

-- A run that is resumed finishes again: it registers once per model and source, whatever became of the version.
create table automatic_registration (
  model text collate "C" not null,
  source text not null,
  version int not null,
  registered_at timestamptz not null,
  primary key (model, source)
);

-- Sealed content to let go of. Without a digest the version was deleted before its seal was known: sealing again tells it.
create table pin_release (
  id bigint generated always as identity primary key,
  holder text not null,
  source text not null,
  sha256 text,
  attempts int not null default 0,
  attempt_at timestamptz not null
);
create index pin_release_due on pin_release (attempt_at);

create table audit_entry (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  actor text not null,
  action text not null,
  model text collate "C" not null,
  model_id bigint,
  version int,
  from_value text,
  to_value text,
  reason text not null,
  request_id text not null,
  details jsonb not null default '{}'
);
create index audit_entry_model on audit_entry (model, id desc);
create index audit_entry_model_id on audit_entry (model_id, id desc);

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only: % is refused', lower(tg_op);
end
$$;
create trigger audit_entry_is_append_only before update or delete on audit_entry for each row execute function refuse_audit_change();
create trigger audit_entry_is_never_emptied before truncate on audit_entry for each statement execute function refuse_audit_change();
