import process from 'node:process';
import { useSdk } from './use-sdk.js';

const [, , url = '', token = '', transport] = process.argv;
const seen = await useSdk(url, token, transport === 'ws' ? 'ws' : 'sse');
process.stdout.write(`${JSON.stringify(seen)}\n`);
