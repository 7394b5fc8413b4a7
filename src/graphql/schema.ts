import { builder } from './builder.ts';
import './scalars.ts';
import './types/node.ts';
import './types/job.ts';
import './types/job-list.ts';
import './types/job-live.ts';
import './types/jobs-changed.ts';
import './types/start-jobs.ts';
import './types/job-mutations.ts';
import './types/staged-upload.ts';
import './types/stored-file.ts';
import './types/product.ts';
import './types/variant.ts';
import './types/viewer.ts';
import './types/dashboard.ts';
import './types/notification.ts';
import './types/notification-read.ts';
import './types/notification-added.ts';
import './types/notification-preference.ts';
import './types/webhook-endpoint.ts';
import './types/webhook-delivery.ts';
import './types/webhook-mutations.ts';

/** All that files in types/ registered. Building it needs no database. */
export const schema = builder.toSchema();
