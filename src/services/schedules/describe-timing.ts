import type { ScheduleTiming } from '../../domain/schedule.ts';

/** A timing in words: "Every day at 02:30, Europe/Berlin". Expressions of no common shape are shown as they are. */
export function describeTiming(timing: ScheduleTiming): string {
  switch (timing.type) {
    case 'cron':
      return `${cronWords(timing.expression) ?? `At ${timing.expression}`}, ${timing.timeZone}`;
    case 'every':
      return `Every ${durationWords(timing.seconds)}`;
    case 'once':
      return `Once, ${timing.at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  }
}

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

function cronWords(expression: string): string | null {
  const fields = (NICKNAMES[expression.toLowerCase()] ?? expression).split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  if (day === '*' && month === '*' && weekday === '*') {
    const often = oftenWords(minute, hour);
    if (often) return often;
  }
  const times = timesOfDay(minute, hour);
  const days = times && daysWords(day, month, weekday);
  return times && days ? `${days} at ${times}` : null;
}

/** Shapes that run more than once an hour or every few hours. */
function oftenWords(minute: string, hour: string): string | null {
  const minutes = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (hour === '*') {
    if (minute === '*') return 'Every minute';
    if (minutes && 60 % Number(minutes) === 0) return `Every ${countWords(Number(minutes), 'minute')}`;
    if (minute === '0') return 'Every hour';
    if (isNumber(minute)) return `Every hour at minute ${Number(minute)}`;
  }
  const hours = /^\*\/(\d+)$/.exec(hour)?.[1];
  if (hours && 24 % Number(hours) === 0 && isNumber(minute)) {
    const every = `Every ${countWords(Number(hours), 'hour')}`;
    return Number(minute) === 0 ? every : `${every} at minute ${Number(minute)}`;
  }
  return null;
}

/** "02:30", "02:30 and 14:30"; null for more than a few, and for what is no time of day. */
function timesOfDay(minute: string, hour: string): string | null {
  const hours = hour.split(',');
  if (!isNumber(minute) || !hours.every(isNumber) || hours.length > 6) return null;
  return listWords(hours.map((each) => `${each.padStart(2, '0')}:${minute.padStart(2, '0')}`));
}

function daysWords(day: string, month: string, weekday: string): string | null {
  const months = month === '*' ? null : namesOf(month, MONTHS, 1);
  if (month !== '*' && !months) return null;
  if (weekday !== '*') {
    if (day !== '*' || months) return null;
    const weekdays = namesOf(weekday, WEEKDAYS, 0);
    return weekday === '1-5' || /^mon-fri$/i.test(weekday)
      ? 'Monday to Friday'
      : weekdays && `Every ${weekdays}`;
  }
  if (day === '*') return months ? `Every day in ${months}` : 'Every day';
  const ofMonth = months ? `in ${months}` : 'of every month';
  if (day.toUpperCase() === 'L') return `On the last day ${ofMonth}`;
  const days = day.split(',');
  if (!days.every(isNumber)) return null;
  return `On ${days.length > 1 ? 'days' : 'day'} ${listWords(days)} ${ofMonth}`;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November',
  'December',
]; // prettier-ignore

/** A list of numbers or of names' first three letters, as the names; null for anything else. */
function namesOf(list: string, names: readonly string[], first: number): string | null {
  const found = list.split(',').map((item) => {
    if (isNumber(item)) return names[Number(item) - first];
    return item.length === 3
      ? names.find((name) => name.slice(0, 3).toLowerCase() === item.toLowerCase())
      : undefined;
  });
  const known = found.filter((name) => name !== undefined);
  return known.length === found.length ? listWords(known) : null;
}

function durationWords(seconds: number): string {
  for (const [size, unit] of [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
  ] as const) {
    if (seconds % size === 0) return countWords(seconds / size, unit);
  }
  return countWords(seconds, 'second');
}

/** "minute", "5 minutes" */
function countWords(count: number, unit: string): string {
  return count === 1 ? unit : `${count} ${unit}s`;
}

function listWords(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

const isNumber = (text: string): boolean => /^\d{1,2}$/.test(text);
