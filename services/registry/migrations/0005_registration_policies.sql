-- Runs that end FINISHED are registered by these, without a tag of their own.
create table registration_policy (
  name text collate "C" primary key,
  enabled boolean not null,
  -- empty: those of every experiment
  experiment_ids text[] not null,
  filter text not null,
  model text not null,
  artifact_path text,
  changed_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
