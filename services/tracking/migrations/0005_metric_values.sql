-- Runs by the value of a metric: what filters and orders by metrics ask for among many runs.
create index metric_series_by_value on metric_series (key, value desc) where not is_nan;
