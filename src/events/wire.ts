import { z } from 'zod';
import type { Topic, TopicMessage } from './bus.ts';

/** Every broker takes so much: Postgres less than 8,000 bytes (https://www.postgresql.org/docs/current/sql-notify.html). */
export const PAYLOAD_BYTES_MAX = 7_000;
/** An event of more travels as id and seq only. */
export const EVENT_BYTES_MAX = 1_000;

const envelope = z.object({ gap: z.boolean().default(false), m: z.array(z.unknown()) });
const ENVELOPE_BYTES = Buffer.byteLength('{"gap":true,"m":[]}');

/** One message on its way, as JSON `[topic, key, message]`. */
export interface WireMessage {
  readonly json: string;
  readonly bytes: number;
}

/** @returns null when the message cannot be made small enough to travel */
export function encodeMessage<T extends Topic>(
  topic: T,
  key: string,
  message: TopicMessage<T>,
): WireMessage | null {
  const whole = toWire(topic, key, message);
  if (whole.bytes <= EVENT_BYTES_MAX) return whole;
  const small = 'event' in message ? toWire(topic, key, { ...message, event: undefined }) : whole;
  return small.bytes + ENVELOPE_BYTES <= PAYLOAD_BYTES_MAX ? small : null;
}

function toWire(topic: Topic, key: string, message: unknown): WireMessage {
  const json = JSON.stringify([topic, key, message]);
  return { json, bytes: Buffer.byteLength(json) };
}

/** Length of a payload of `messages` messages that have `bytes` together, at most. */
export function payloadBytes(messages: number, bytes: number): number {
  return ENVELOPE_BYTES + messages + bytes;
}

/** @param gap tells the receivers that messages before these were lost */
export function encodePayload(messages: readonly WireMessage[], gap: boolean): string {
  return `{"gap":${String(gap)},"m":[${messages.map((message) => message.json).join(',')}]}`;
}

/** @returns null for what is no payload of ours */
export function decodePayload(
  payload: string,
): { readonly gap: boolean; readonly messages: readonly unknown[] } | null {
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch {
    return null;
  }
  const parsed = envelope.safeParse(json);
  return parsed.success ? { gap: parsed.data.gap, messages: parsed.data.m } : null;
}
