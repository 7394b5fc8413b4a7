/** What an endpoint may choose to be told of. */
export const WEBHOOK_EVENT_TYPES = ['job.failed', 'job.completed_with_warnings'] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

/** A digest comes in place of what was chosen, a test because somebody asked for it. */
export type WebhookMessageType = WebhookEventType | 'notifications.digest' | 'test';

export const WEBHOOK_DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type WebhookDeliveryStatus = (typeof WEBHOOK_DELIVERY_STATUSES)[number];

/** Endpoints of one organization. */
export const WEBHOOK_ENDPOINTS_MAX = 20;
