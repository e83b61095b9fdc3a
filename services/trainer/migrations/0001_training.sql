create table job (
  job_id text primary key,
  model text not null,
  dataset text not null,
  experiment text not null,
  parameters jsonb not null,
  register boolean not null,
  timeout_ms bigint not null,
  max_attempts integer not null,
  cause text not null,
  requested_by text not null,
  state text not null,
  attempt integer not null default 0,
  failures integer not null default 0,
  run_id text,
  finishing boolean not null default false,
  progress double precision not null default 0,
  message text not null default '',
  metrics jsonb not null default '{}',
  unlike_digest text,
  data_digest text,
  -- Listing of the folder at the last look, so that its bytes are read only when something changed.
  seen_fingerprint text,
  -- One job per alert, however often the alert is delivered.
  alert_id text unique,
  due_at timestamptz not null,
  lease_until timestamptz,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz
);
create index job_work on job (state, due_at) where state in ('waiting_for_data', 'queued', 'running', 'cancelling');
create index job_by_model on job (model, created_at desc);
create index job_by_time on job (created_at desc);

create table attempt (
  job_id text not null references job (job_id),
  attempt integer not null,
  run_id text,
  experiment text not null,
  state text not null,
  reason text not null default '',
  -- What tracking is still to be told about the run of an attempt that made no model.
  close_run_as text,
  started_at timestamptz not null,
  ended_at timestamptz,
  primary key (job_id, attempt)
);
create index attempt_to_close on attempt (ended_at) where close_run_as is not null;

create table job_log (
  seq bigint generated always as identity primary key,
  job_id text not null references job (job_id),
  at timestamptz not null,
  line text not null
);
create index job_log_by_job on job_log (job_id, seq);

create table retraining_policy (
  model text primary key,
  policy jsonb not null,
  changed_by text not null,
  changed_at timestamptz not null
);

create table evaluation (
  evaluation_id text primary key,
  artifact jsonb not null,
  dataset text not null,
  dataset_digest text not null,
  state text not null,
  message text not null default '',
  evaluation jsonb,
  failures integer not null default 0,
  revision bigint not null default 0,
  due_at timestamptz not null,
  lease_until timestamptz,
  created_at timestamptz not null,
  ended_at timestamptz
);
create index evaluation_work on evaluation (due_at) where state in ('queued', 'running');
