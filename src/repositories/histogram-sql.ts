/** Two histograms as jsonb, of counts by bucket, added up; for `ON CONFLICT DO UPDATE`. */
export const addedHistograms = (known: string, more: string): string => `
  (SELECT coalesce(jsonb_object_agg(bucket, count), '{}')
   FROM (SELECT key AS bucket, sum(value::bigint) AS count
         FROM (SELECT * FROM jsonb_each_text(${known}) UNION ALL SELECT * FROM jsonb_each_text(${more})) AS part
         GROUP BY key) AS bucket)`;
