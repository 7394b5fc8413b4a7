import { describe, expect, test } from 'vitest';
import { attachment } from '../../src/lib/content-disposition.ts';

describe('the header that names a download', () => {
  test.each([
    ['rejected rows.csv', `attachment; filename="rejected rows.csv"; filename*=UTF-8''rejected%20rows.csv`],
    ['Käse €.csv', `attachment; filename="K_se _.csv"; filename*=UTF-8''K%C3%A4se%20%E2%82%AC.csv`],
    [`a"b'(c)*.csv`, `attachment; filename="a_b'(c)*.csv"; filename*=UTF-8''a%22b%27%28c%29%2A.csv`],
    ['../../etc/passwd', `attachment; filename=".._.._etc_passwd"; filename*=UTF-8''.._.._etc_passwd`],
    ['a\r\nSet-Cookie: x', `attachment; filename="a__Set-Cookie: x"; filename*=UTF-8''a__Set-Cookie%3A%20x`],
    ['half \ud83d', `attachment; filename="half _"; filename*=UTF-8''half%20_`],
    ['', `attachment; filename="file"; filename*=UTF-8''file`],
  ])('keeps %j whole and safe', (filename, header) => {
    expect(attachment(filename)).toBe(header);
  });
});
