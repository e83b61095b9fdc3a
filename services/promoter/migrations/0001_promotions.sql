-- Locked while decisions or policies of a model change, so that they change one after another.
create table model (
  name text primary key
);

create table policy (
  model text not null,
  policy_version integer not null,
  policy jsonb not null,
  changed_by text not null,
  changed_at timestamptz not null,
  primary key (model, policy_version)
);

create table decision (
  decision_id text primary key,
  model text not null,
  version bigint not null,
  policy_version integer not null,
  policy jsonb not null,
  state text not null,
  champion_version text,
  generation bigint not null default 0,
  gates jsonb not null default '[]',
  reason text not null default '',
  decided_by text not null default 'promoter',
  approval jsonb,
  promoted_generation bigint,
  watch_until timestamptz,
  rollback_reason text,
  round integer not null default 0,
  -- Grows with every change and claim: work that was begun on an older revision is not saved.
  revision bigint not null default 0,
  due_at timestamptz not null,
  lease_until timestamptz,
  failures integer not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (model, version, policy_version)
);
create index decision_by_model on decision (model, created_at desc);
create index decision_work on decision (due_at) where state in ('evaluating', 'promoting') or rollback_reason is not null;

-- What pods reported about Production versions. Kept, because a pod may be faster than the registry's answer.
create table observation (
  model text not null,
  version text not null,
  generation bigint not null,
  kind text not null check (kind in ('activated', 'load-failed')),
  message text not null,
  primary key (model, version, generation, kind)
);
