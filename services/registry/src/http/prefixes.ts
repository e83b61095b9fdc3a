/** Where MLflow's REST API is served: for its clients, and for its web pages. */
export const PREFIXES = ['/api/2.0/mlflow', '/ajax-api/2.0/mlflow'] as const
