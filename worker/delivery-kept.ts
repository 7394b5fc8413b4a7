/**
 * A delivery that this process can neither begin nor give back, because it goes away while Postgres is away too. The
 * broker keeps it for another worker; every other error ends a delivery, since the broker never owns a retry.
 */
export class DeliveryKept extends Error {
  override readonly name = 'DeliveryKept';
  constructor(cause: unknown) {
    super('the delivery stays with the broker', { cause });
  }
}
