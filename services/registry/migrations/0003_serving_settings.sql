-- How pods are to serve a model; null: as they are set up. It moves with the model when that is renamed, and goes with it.
alter table registered_model add column serving_settings jsonb;
