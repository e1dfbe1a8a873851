SET 'table.exec.state.ttl' = '5 min';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '3 s';
SET 'table.exec.mini-batch.size' = '5000';

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
