import { invalidFile } from './invalid-file.ts';

interface FileType {
  /** What the file starts with, as Latin-1 */
  readonly magic: string;
  readonly message: string;
}

const SAVE_AS_CSV = 'Save it as CSV and upload that.';

/** First bytes of what people upload by mistake: https://en.wikipedia.org/wiki/List_of_file_signatures */
const BINARY_TYPES: readonly FileType[] = [
  { magic: '%PDF-', message: 'This is a PDF. Products can be imported from a CSV file only.' },
  {
    magic: '\xD0\xCF\x11\xE0',
    message: `This is an old Excel workbook (.xls). Open it in Excel. ${SAVE_AS_CSV}`,
  },
  { magic: '\x89PNG', message: 'This is a picture (PNG), not a CSV file.' },
  { magic: '\xFF\xD8\xFF', message: 'This is a picture (JPEG), not a CSV file.' },
  { magic: 'GIF8', message: 'This is a picture (GIF), not a CSV file.' },
  { magic: '\x1F\x8B', message: 'This file is compressed (gzip). Unpack it and upload the CSV file inside.' },
  { magic: 'Rar!', message: 'This is a RAR archive. Unpack it and upload the CSV file inside.' },
  { magic: '7z\xBC\xAF', message: 'This is a 7-Zip archive. Unpack it and upload the CSV file inside.' },
];

const ZIP_MAGIC = /^PK(\x03\x04|\x05\x06)/;
/** Members that tell an office document from a plain archive */
const ZIP_DOCUMENTS: readonly { member: string; message: string }[] = [
  { member: 'xl/', message: `This is an Excel workbook (.xlsx). ${SAVE_AS_CSV}` },
  { member: '[Content_Types].xml', message: `This is an Excel or other Office document. ${SAVE_AS_CSV}` },
  { member: 'opendocument', message: `This is an OpenDocument file (.ods). ${SAVE_AS_CSV}` },
  { member: 'index.numbers', message: `This is a Numbers document. Export it as CSV and upload that.` },
];

/** @throws JobFailure INVALID_FILE when the first bytes are those of a file that is no text */
export function refuseBinary(sample: Buffer): void {
  if (sample.length === 0) throw invalidFile('The file is empty.');
  const head = sample.toString('latin1');
  const known = BINARY_TYPES.find((type) => head.startsWith(type.magic));
  if (known) throw invalidFile(known.message);
  if (!ZIP_MAGIC.test(head)) return;
  const document = ZIP_DOCUMENTS.find((type) => head.toLowerCase().includes(type.member.toLowerCase()));
  throw invalidFile(document?.message ?? 'This is a ZIP archive. Unpack it and upload the CSV file inside.');
}

/** Share of control characters beyond which nobody would call it text */
const CONTROL_SHARE_MAX = 0.02;

/** @throws JobFailure INVALID_FILE when decoded text is no table: blank, a web page, JSON, XML, or binary after all */
export function refuseOtherText(sample: string): void {
  const start = sample.trimStart().slice(0, 200).toLowerCase();
  if (start === '') throw invalidFile('The file is empty: it holds nothing but blanks.');
  if (/^<(!doctype html|html|head|body|script)/.test(start)) {
    throw invalidFile('This is a web page, not a CSV file. Download the file itself and upload that.');
  }
  if (/^<[a-z?!]/.test(start)) {
    throw invalidFile('This is an XML file. Products can be imported from a CSV file only.');
  }
  if (isJson(start)) throw invalidFile('This is a JSON file. Products can be imported from a CSV file only.');
  const controls = sample.match(/(?!\s)\p{Cc}/gu)?.length ?? 0;
  if (controls > Math.max(3, sample.length * CONTROL_SHARE_MAX)) {
    throw invalidFile('This file is not text. Products can be imported from a CSV file only.');
  }
}

function isJson(start: string): boolean {
  return /^(\[\s*[[{\]]|\{\s*("[^"]*"\s*:|\}))/.test(start);
}
