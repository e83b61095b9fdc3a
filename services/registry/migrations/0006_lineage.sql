-- What others say of a version after it was registered: gates, decisions, pods that could not load it. A bounded number of each kind is kept.
create table lineage_fact (
  id bigint generated always as identity primary key,
  version_id bigint not null references model_version (id) on delete cascade,
  kind text not null check (kind in ('evaluated', 'rejected', 'rollout-stepped', 'load-failed')),
  at timestamptz not null,
  data jsonb not null
);
create index lineage_fact_version on lineage_fact (version_id, kind, id desc);

-- Since when and until when a pod answered with a version. Open while the pod has said nothing else.
create table serving_span (
  id bigint generated always as identity primary key,
  version_id bigint not null references model_version (id) on delete cascade,
  pod text not null,
  incarnation text not null,
  arm text not null,
  generation bigint not null,
  since timestamptz not null,
  until timestamptz,
  check (until is null or until >= since)
);
create index serving_span_version on serving_span (version_id, id desc);
create index serving_span_open on serving_span (pod) where until is null;
