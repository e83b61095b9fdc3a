-- What is watched: one row per model, renewed when another version (or the same one again) takes over production.
create table monitor (
  model text primary key,
  -- Generation of the serving state that was applied last: an older one changes nothing.
  generation bigint not null,
  version text,
  -- Generation from which `version` has been in production: windows of an earlier time in production are another story.
  since_generation bigint not null,
  artifact_sha256 text,
  reference_state text not null check (reference_state in ('pending', 'ready', 'none', 'failed')),
  reference_problem text,
  reference_attempts int not null default 0,
  reference_next_at timestamptz not null,
  -- Latest event time counted, and the end of the last closed window: rows from before come too late.
  latest_at timestamptz,
  closed_until timestamptz,
  alert_id text,
  alert_severity text,
  -- Set while labels show a quality below the policy's limit.
  performance_alert_id text,
  -- Windows that closed before do not count for the next alert.
  history_from timestamptz,
  quiet_until timestamptz
);
create index monitor_reference_pending on monitor (reference_next_at) where reference_state = 'pending';

-- Immutable, by the digest of the artifact it came with.
create table reference (
  artifact_sha256 text primary key,
  profile jsonb not null,
  loaded_at timestamptz not null
);

-- Logged predictions that are not counted yet: written one by one as they come, counted many at a time.
create table uncounted (
  id bigint generated always as identity primary key,
  model text not null,
  version text not null,
  generation bigint not null,
  prediction_id text not null,
  predicted_at timestamptz not null,
  received_at timestamptz not null,
  row jsonb not null
);

-- Rows per stretch of event time that is not part of a closed window yet.
create table bucket (
  model text not null,
  start_at timestamptz not null,
  end_at timestamptz not null,
  latest_at timestamptz not null,
  rows bigint not null,
  counts jsonb not null,
  primary key (model, start_at)
);

create table closed_window (
  model text not null,
  since_generation bigint not null,
  start_at timestamptz not null,
  end_at timestamptz not null,
  version text not null,
  rows bigint not null,
  reference_rows bigint not null,
  verdict text not null,
  severity text not null,
  drifted_share double precision not null,
  features jsonb not null,
  counts jsonb not null,
  closed_at timestamptz not null,
  primary key (model, since_generation, start_at)
);
create index closed_window_recent on closed_window (model, end_at desc);
create index closed_window_age on closed_window (closed_at);

create table policy (
  model text primary key,
  policy jsonb not null,
  changed_by text not null,
  changed_at timestamptz not null
);

-- What was predicted, kept as long as its label may still come.
create table prediction (
  model text not null,
  prediction_id text not null,
  version text not null,
  since_generation bigint not null,
  predicted_class text,
  predicted_at timestamptz not null,
  primary key (model, prediction_id)
);
create index prediction_age on prediction (predicted_at);
create index prediction_window on prediction (model, since_generation, predicted_at);

-- The truth, which may come before its prediction was counted.
create table label (
  model text not null,
  prediction_id text not null,
  label text not null,
  labelled_at timestamptz not null,
  received_at timestamptz not null,
  received_from text not null,
  primary key (model, prediction_id)
);
create index label_age on label (received_at);
