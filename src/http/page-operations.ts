/** What the page of a job asks; part of its settings, so that a server that runs only what it knows knows these. */
export const JOB_PAGE_OPERATIONS = {
  job: `query Job($id: ID!) { job(id: $id) {
  id kind status progressPercent progressMessage triggeredBy createdAt startedAt completedAt errorCode errorMessage
  attempt maxAttempts pendingReason { message until } counts { total processed succeeded warned failed }
  items(first: 100) { totalCount edges { node { id row key column value code message outcome } } }
  rejectedRows { filename url } files { id filename url }
} }`,
  events: `subscription Events($id: ID!, $after: Int!) { jobEvents(id: $id, after: $after) {
  seq at type status message progressPercent
} }`,
};
