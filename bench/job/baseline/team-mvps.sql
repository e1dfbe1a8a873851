SET 'table.exec.state.ttl' = '60 min';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '6 s';
SET 'table.exec.mini-batch.size' = '10000';

CREATE TABLE team_mvps (
  rnk BIGINT,
  user_id STRING,
  team_name STRING,
  player_total BIGINT,
  team_total BIGINT,
  contrib_ratio DOUBLE,
  PRIMARY KEY (rnk) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '$run-team-mvps',
  'properties.bootstrap.servers' = '$bootstrapServers',
  'key.format' = 'json',
  'value.format' = 'json'
);

-- NULLIF, as 0 / 0 is NaN: Flink's comparison takes that for equal to every other share, and its rank then fails by a
-- NullPointerException.
INSERT INTO team_mvps
WITH players AS (
  SELECT team_id, user_id, CAST(SUM(score) AS BIGINT) AS player_total
  FROM user_scores
  GROUP BY team_id, user_id
), teams AS (
  SELECT team_id, MAX(team_name) AS team_name, CAST(SUM(score) AS BIGINT) AS team_total
  FROM user_scores
  GROUP BY team_id
), shares AS (
  SELECT
    user_id,
    team_id,
    team_name,
    player_total,
    team_total,
    CAST(player_total AS DOUBLE) / NULLIF(CAST(team_total AS DOUBLE), 0) AS contrib_ratio
  FROM players JOIN teams USING (team_id)
), best AS (
  SELECT * FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY team_id ORDER BY contrib_ratio DESC, user_id) AS place FROM shares
  )
  WHERE place = 1
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (ORDER BY contrib_ratio DESC) AS rnk FROM best
)
SELECT rnk, user_id, team_name, player_total, team_total, contrib_ratio FROM ranked WHERE rnk <= 10;
