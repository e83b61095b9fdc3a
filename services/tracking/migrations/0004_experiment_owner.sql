-- Who made an experiment, and so may manage it; null where nobody is known to have.
alter table experiment add column created_by text;
