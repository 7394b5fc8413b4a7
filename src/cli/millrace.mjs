#!/usr/bin/env node
import { register } from 'tsx/esm/api';

// The code is TypeScript; it runs as it is.
register();
await import('./main.ts');
