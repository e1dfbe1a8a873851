-- What the product is measured against: four separate jobs, each with its own scan, in the query shapes of the demo that this
-- project grew from. Totals are cast after they were summed and ties break by name, so every rank keeps all its rows; streaks are two
-- chained OVER averages per event; players are joined with their team's total before they are ranked; state is bounded by a TTL.

CREATE TABLE user_scores (
  user_id STRING,
  team_id STRING,
  team_name STRING,
  score INT,
  event_time_millis BIGINT,
  readable_time STRING,
  event_type STRING,
  event_time AS TO_TIMESTAMP_LTZ(event_time_millis, 3),
  WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '$events',
  'properties.bootstrap.servers' = '$bootstrapServers',
  'properties.group.id' = '$run',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE top_teams (
  rnk BIGINT,
  team_id STRING,
  team_name STRING,
  total_score BIGINT,
  PRIMARY KEY (rnk) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '$run-top-teams',
  'properties.bootstrap.servers' = '$bootstrapServers',
  'key.format' = 'json',
  'value.format' = 'json'
);

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

CREATE TABLE hot_streakers (
  rnk BIGINT,
  user_id STRING,
  short_term_avg DOUBLE,
  long_term_avg DOUBLE,
  peak_hotness DOUBLE,
  PRIMARY KEY (rnk) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '$run-hot-streakers',
  'properties.bootstrap.servers' = '$bootstrapServers',
  'key.format' = 'json',
  'value.format' = 'json'
);

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

-- Totals
SET 'table.exec.state.ttl' = '60 min';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '6 s';
SET 'table.exec.mini-batch.size' = '10000';

INSERT INTO top_teams
WITH totals AS (
  SELECT team_id, MAX(team_name) AS team_name, CAST(SUM(score) AS BIGINT) AS total_score
  FROM user_scores
  GROUP BY team_id
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (ORDER BY total_score DESC, team_name) AS rnk FROM totals
)
SELECT rnk, team_id, team_name, total_score FROM ranked WHERE rnk <= 10;

INSERT INTO top_players
WITH totals AS (
  SELECT user_id, MAX(team_name) AS team_name, CAST(SUM(score) AS BIGINT) AS total_score
  FROM user_scores
  GROUP BY user_id
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (ORDER BY total_score DESC, team_name) AS rnk FROM totals
)
SELECT rnk, user_id, team_name, total_score FROM ranked WHERE rnk <= 10;

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
    CAST(player_total AS DOUBLE) / CAST(team_total AS DOUBLE) AS contrib_ratio
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

-- Streaks
SET 'table.exec.state.ttl' = '5 min';
SET 'table.exec.mini-batch.allow-latency' = '3 s';
SET 'table.exec.mini-batch.size' = '5000';

INSERT INTO hot_streakers
WITH short_term AS (
  SELECT
    user_id,
    event_time,
    score,
    AVG(CAST(score AS DOUBLE)) OVER (
      PARTITION BY user_id ORDER BY event_time RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW
    ) AS short_term_avg
  FROM user_scores
), long_term AS (
  SELECT
    user_id,
    short_term_avg,
    AVG(CAST(score AS DOUBLE)) OVER (
      PARTITION BY user_id ORDER BY event_time RANGE BETWEEN INTERVAL '60' SECOND PRECEDING AND CURRENT ROW
    ) AS long_term_avg
  FROM short_term
), peaks AS (
  SELECT
    user_id,
    MAX(short_term_avg) AS short_term_avg,
    MAX(long_term_avg) AS long_term_avg,
    MAX(short_term_avg / NULLIF(long_term_avg, 0)) AS peak_hotness
  FROM long_term
  GROUP BY user_id
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (ORDER BY peak_hotness DESC, user_id) AS rnk FROM peaks
)
SELECT rnk, user_id, short_term_avg, long_term_avg, peak_hotness FROM ranked WHERE rnk <= 10;
