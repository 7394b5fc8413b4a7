/** Operations that GraphiQL opens with: the main job from the upload to its result, and the dashboard. */
export const EXAMPLE_OPERATIONS: readonly string[] = [
  `# Who am I, and what happened last?
query Overview {
  viewer { role organization { name timeZone currency } }
  jobs(first: 10) {
    totalCount
    edges { node { id kind status progressPercent counts { processed succeeded failed } statusUrl } }
  }
}
`,
  `# 1. Ask for a place, then PUT the file to its url:
#    curl -T products.csv -H 'content-type: text/csv' '<url>'
mutation Upload {
  createStagedUpload(input: { filename: "products.csv", contentType: "text/csv" }) {
    upload { id url headers { name value } expiresAt }
    userErrors { field code message }
  }
}
`,
  `# 2. Start the import with the upload's id
mutation Import($upload: ID!) {
  startProductImport(input: { source: { uploadId: $upload } }) {
    job { id status statusUrl }
    userErrors { field code message }
  }
}
`,
  `# 3. Follow it live
subscription Progress($id: ID!) {
  jobProgress(id: $id) {
    status progressPercent progressMessage
    counts { total processed succeeded warned failed }
    result { ... on ProductImportResult { created updated unchanged rejected } }
    rejectedRows { filename url }
  }
}
`,
  `# What came of it
query Products {
  products(first: 10) {
    totalCount
    edges { node { title vendor status variants(first: 5) { totalCount edges { node { sku price } } } } }
  }
}
`,
  `query Dashboard {
  dashboard(period: { preset: LAST_30_DAYS }) {
    from to
    revenue { state asOf net { amount currency } orders failure { code message } }
    traffic { state sessions }
    ads { state impressions }
    social { state followers }
    email { state sent }
    support { state opened }
  }
}
`,
];
