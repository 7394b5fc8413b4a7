import type { Plugin } from 'graphql-yoga';
import type { StreamedOperation } from './streamed-operation.ts';

interface WithOperation {
  /** Whose results go to an event stream, instead of into the answer */
  readonly operation?: StreamedOperation | undefined;
}

/** Hands the results of operations on an event stream to it, and answers their own requests with 202. */
export function useEventStreams(): Plugin<WithOperation, WithOperation> {
  return {
    onParams: ({ params, context }) => context.operation?.claim(params.extensions?.['operationId']),
    onExecute: ({ args }) => args.contextValue.operation?.run(),
    onSubscribe: ({ args }) => args.contextValue.operation?.run(),
    onResultProcess({ result, serverContext: { operation }, setResultProcessor }) {
      if (!operation?.isRunning || Array.isArray(result)) return;
      setResultProcessor(
        (_result, { Response }) => new Response(null, { status: operation.start(result) ? 202 : 204 }),
        'text/event-stream',
      );
    },
  };
}
