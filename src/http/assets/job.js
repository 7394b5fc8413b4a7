/* The live page of one job: reads it once, then follows its events over Server-Sent Events. */
const STORED = 'millrace-token';
const RETRY_MS = 1000;
const REFRESH_MS = 300;
const LOG_LINES_MAX = 500;

const id = decodeURIComponent(location.pathname.split('/').pop());
const $ = (selector) => document.querySelector(selector);
const settings = JSON.parse($('#settings').textContent);

const { job: JOB, events: EVENTS } = settings.operations;

let lastSeq = 0;
let refreshAt = 0;
let refreshTimer = null;

function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(STORED, given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem(STORED) ?? settings.devToken;
}

function request(query, variables, accept) {
  return fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${token()}` },
    body: JSON.stringify({ query, variables }),
  });
}

async function refresh() {
  const response = await request(JOB, { id }, 'application/json');
  if (response.status === 401) return askForToken('This token is unknown or was revoked.');
  const { data, errors } = await response.json();
  if (errors) return tell(errors[0].message);
  if (!data.job) return tell('There is no such job, or it is another organization’s.');
  tell('');
  show(data.job);
}

/** At once when the last time is long ago, else soon: a busy job costs three reads a second. */
function refreshSoon() {
  if (refreshTimer) return;
  refreshTimer = setTimeout(
    () => {
      refreshTimer = null;
      refreshAt = Date.now();
      refresh().catch(() => tell('The server does not answer. Trying again …'));
    },
    Math.max(0, refreshAt + REFRESH_MS - Date.now()),
  );
}

async function follow() {
  for (;;) {
    try {
      if (await readEvents()) return;
    } catch {
      tell('The connection broke. Trying again …');
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Reads events until the stream ends. @returns whether nothing more will come */
async function readEvents() {
  const response = await request(EVENTS, { id, after: lastSeq }, 'text/event-stream');
  if (response.status === 401) {
    askForToken('A token is needed.');
    return true;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  let settled = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return settled;
    const messages = (buffer + value).split('\n\n');
    buffer = messages.pop();
    for (const message of messages) {
      const data = /^data: (.*)$/m.exec(message)?.[1];
      if (!data) continue;
      const result = JSON.parse(data);
      if (result.errors) {
        tell(result.errors[0].message);
        return true;
      }
      const event = result.data?.jobEvents;
      if (!event) continue;
      lastSeq = event.seq;
      settled = !['PENDING', 'RUNNING'].includes(event.status);
      line(event);
      refreshSoon();
    }
  }
}

const text = (selector, value) => {
  $(selector).textContent = value ?? '';
};
const time = (value) => (value ? new Date(value).toLocaleString() : '–');
const number = (value) => (value === null ? '?' : value.toLocaleString());

function show(job) {
  $('#job').hidden = false;
  document.title = `${job.kind} ${job.status} – Millrace`;
  text('#kind', job.kind.replaceAll('_', ' ').toLowerCase());
  text('#status', job.status.replaceAll('_', ' '));
  $('#status').className = `status ${job.status}`;
  const bar = $('progress');
  if (job.progressPercent === null) bar.removeAttribute('value');
  else bar.value = job.progressPercent;
  bar.hidden = job.progressPercent === null && job.status !== 'RUNNING';
  text('#note', job.pendingReason?.message ?? job.progressMessage);
  text('#percent', job.progressPercent === null ? '' : `${job.progressPercent} %`);
  text('#error', job.errorMessage ? `${job.errorCode ?? ''} ${job.errorMessage}` : '');
  for (const [name, value] of Object.entries(job.counts)) text(`#count-${name}`, number(value));
  text('#created', `${time(job.createdAt)}, ${job.triggeredBy}`);
  text(
    '#ended',
    job.completedAt ? `ended ${time(job.completedAt)}` : `attempt ${job.attempt} of ${job.maxAttempts}`,
  );
  showItems(job);
  showFiles(job);
}

function showItems({ items }) {
  $('#items').hidden = items.totalCount === 0;
  text('#items-title', `${items.totalCount.toLocaleString()} rows to look at`);
  $('#items tbody').replaceChildren(
    ...items.edges.map(({ node }) => {
      const row = document.createElement('tr');
      for (const cell of [
        node.row ?? node.key,
        node.column,
        node.value,
        node.outcome.toLowerCase(),
        node.message,
      ]) {
        row.append(Object.assign(document.createElement('td'), { textContent: cell ?? '' }));
      }
      return row;
    }),
  );
}

function showFiles({ files, rejectedRows }) {
  $('#files').hidden = files.length === 0;
  $('#files ul').replaceChildren(
    ...files.map(({ filename, url }) => {
      const item = document.createElement('li');
      item.append(Object.assign(document.createElement('a'), { href: url, textContent: filename }));
      if (filename === rejectedRows?.filename) item.append(' – only the rows that failed, with the reason');
      return item;
    }),
  );
}

function line({ at, type, status, message, progressPercent }) {
  const log = $('ol.log');
  const what =
    message ??
    (type === 'STATUS' ? status.replaceAll('_', ' ').toLowerCase() : `${progressPercent ?? '?'} %`);
  const item = Object.assign(document.createElement('li'), {
    textContent: `${new Date(at).toLocaleTimeString()}  ${what}`,
  });
  log.append(item);
  if (log.children.length > LOG_LINES_MAX) log.firstChild.remove();
  log.scrollTop = log.scrollHeight;
}

function tell(problem) {
  text('#problem', problem);
  $('#problem').hidden = !problem;
}

function askForToken(why) {
  tell(why);
  $('#ask').hidden = false;
}

$('#ask').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(STORED, $('#ask input').value.trim());
  $('#ask').hidden = true;
  start();
});

function start() {
  if (!token()) return askForToken('A token is needed to look at this job.');
  refreshSoon();
  follow();
}

start();
