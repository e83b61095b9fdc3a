-- Clients repeat a request whose answer they did not get. A version that was created for nobody is taken by the same request when it comes again.
alter table model_version
  add column answered boolean not null default true,
  -- when it was noticed that nobody got the answer
  add column abandoned_at timestamptz;
create index model_version_abandoned on model_version (model_id, abandoned_at) where abandoned_at is not null;
