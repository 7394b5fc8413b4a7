import type { ServerResponse } from 'node:http';
import { fill, read, sendPage } from './page.ts';

export interface Message {
  readonly status: number;
  /** What happened, in a few words of ours */
  readonly heading: string;
  /** Any text: it is shown as it is, markup included */
  readonly text: string;
}

const PAGE = fill(read('message.html'), { '/*{{style}}*/': read('style.css') });

/** A page that tells a person something. */
export function sendMessage(res: ServerResponse, { status, heading, text }: Message): void {
  const places = { '{{title}}': escape(heading), '{{heading}}': escape(heading), '{{text}}': escape(text) };
  sendPage(res, status, fill(PAGE, places));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // A brace begins a place of ours.
  '{': '&#123;',
};

function escape(text: string): string {
  return text.replace(/[&<>"'{]/g, (sign) => ENTITIES[sign] ?? '');
}
