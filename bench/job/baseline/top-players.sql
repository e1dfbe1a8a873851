SET 'table.exec.state.ttl' = '60 min';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '6 s';
SET 'table.exec.mini-batch.size' = '10000';

CREATE TABLE top_players (
  rnk BIGINT,
  user_id STRING,
  team_name STRING,
  total_score BIGINT,
  PRIMARY KEY (rnk) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '$run-top-players',
  'properties.bootstrap.servers' = '$bootstrapServers',
  'key.format' = 'json',
  'value.format' = 'json'
);

INSERT INTO top_players
WITH totals AS (
  SELECT user_id, MAX(team_name) AS team_name, CAST(SUM(score) AS BIGINT) AS total_score
  FROM user_scores
  GROUP BY user_id
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (ORDER BY total_score DESC, team_name) AS rnk FROM totals
)
SELECT rnk, user_id, team_name, total_score FROM ranked WHERE rnk <= 10;
