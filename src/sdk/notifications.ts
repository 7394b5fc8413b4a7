import type { CallOptions, Execute, StreamOptions, SubscribeTyped } from './client.ts';
import { throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';

export type Notification = operations.NotificationFieldsFragment;
export type NotificationPage = operations.ListNotificationsQuery['notifications'];
export type NotificationPreference = operations.NotificationPreferenceFieldsFragment;

/** These, or all that were written before a moment. */
export type ReadNotifications = { readonly ids: string[] } | { readonly before: Date };

export interface Notifications {
  list(
    variables?: operations.ListNotificationsQueryVariables,
    options?: CallOptions,
  ): Promise<NotificationPage>;
  /** @returns how many were unread before, and how many are now */
  markRead(
    which: ReadNotifications,
    options?: CallOptions,
  ): Promise<{ readonly markedCount: number; readonly unreadCount: number }>;
  /** Each as it comes. Never resumed: after a broken link, list again. */
  added(options?: StreamOptions): AsyncIterable<Notification>;
  preferences(options?: CallOptions): Promise<readonly NotificationPreference[]>;
  /** @returns all preferences as they are then. @throws MillraceUserError */
  setPreferences(
    preferences: operations.NotificationPreferenceInput[],
    options?: CallOptions,
  ): Promise<readonly NotificationPreference[]>;
}

export function createNotifications(execute: Execute, subscribe: SubscribeTyped): Notifications {
  return {
    list: async (variables = {}, options) =>
      (await execute(operations.ListNotificationsDocument, variables, options)).notifications,
    async markRead(which, options) {
      const variables = 'ids' in which ? { ids: which.ids } : { before: which.before.toISOString() };
      const answer = await execute(operations.MarkNotificationsReadDocument, variables, options);
      const { userErrors, ...counts } = answer.markNotificationsRead;
      throwUserErrors({ userErrors });
      return counts;
    },
    added: (options) => added(subscribe, options),
    preferences: async (options) =>
      (await execute(operations.NotificationPreferencesDocument, {}, options)).notificationPreferences,
    async setPreferences(preferences, options) {
      const answer = await execute(
        operations.UpdateNotificationPreferencesDocument,
        { preferences },
        options,
      );
      throwUserErrors(answer.updateNotificationPreferences);
      return answer.updateNotificationPreferences.preferences;
    },
  };
}

async function* added(
  subscribe: SubscribeTyped,
  options: StreamOptions | undefined,
): AsyncGenerator<Notification, void> {
  for await (const { notificationAdded } of subscribe(operations.NotificationAddedDocument, {}, options))
    yield notificationAdded;
}
