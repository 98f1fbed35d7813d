/** An element of a DICOM data set; a string is written in the character set that the file says (given as bytes where that is not ASCII). */
export type DicomElement = { readonly vr: 'CS' | 'DA' | 'LO' | 'PN' | 'SH' | 'TM' | 'UI' | 'US', readonly value: string | Buffer | number } | { readonly vr: 'SQ', readonly items: readonly DicomDataSet[] } | { readonly vr: 'OW', readonly value: Buffer }
/** By group and element in hexadecimal: `00080020`. */
export type DicomDataSet = Readonly<Record<string, DicomElement>>

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1'
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7'

/** A DICOM file (PS3.10) in explicit little endian, with a picture of four pixels: what an archive takes in. */
export function dicomFile (instanceUid: string, dataSet: DicomDataSet): Buffer {
  const meta = encode({ '00020002': { vr: 'UI', value: SECONDARY_CAPTURE }, '00020003': { vr: 'UI', value: instanceUid }, '00020010': { vr: 'UI', value: EXPLICIT_LITTLE_ENDIAN }, '00020012': { vr: 'UI', value: '1.2.3.4' } })
  const version = Buffer.from([0x02, 0x00, 0x01, 0x00, 0x4f, 0x42, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01]) // FileMetaInformationVersion, OB
  const length = Buffer.from([0x02, 0x00, 0x00, 0x00, 0x55, 0x4c, 0x04, 0x00, 0, 0, 0, 0]) // FileMetaInformationGroupLength, UL
  length.writeUInt32LE(version.length + meta.length, 8)
  const us = (value: number): DicomElement => ({ vr: 'US', value })
  const picture: DicomDataSet = { '00280002': us(1), '00280004': { vr: 'CS', value: 'MONOCHROME2' }, '00280010': us(2), '00280011': us(2), '00280100': us(16), '00280101': us(16), '00280102': us(15), '00280103': us(0), '7FE00010': { vr: 'OW', value: Buffer.alloc(8, 1) } }
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, version, meta, encode({ '00080016': { vr: 'UI', value: SECONDARY_CAPTURE }, '00080018': { vr: 'UI', value: instanceUid }, ...dataSet, ...picture })])
}

function encode (dataSet: DicomDataSet): Buffer {
  return Buffer.concat(Object.entries(dataSet).toSorted(([a], [b]) => a.toUpperCase() < b.toUpperCase() ? -1 : 1).map(([tag, element]) => encodeElement(tag, element)))
}

function encodeElement (tag: string, element: DicomElement): Buffer {
  const value = element.vr === 'SQ' ? Buffer.concat(element.items.map(encodeItem)) : bytesOf(element)
  const long = element.vr === 'SQ' || element.vr === 'OW'
  const header = Buffer.alloc(long ? 12 : 8)
  header.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0)
  header.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2)
  header.write(element.vr, 4, 'latin1')
  if (long) header.writeUInt32LE(value.length, 8)
  else header.writeUInt16LE(value.length, 6)
  return Buffer.concat([header, value])
}

function encodeItem (item: DicomDataSet): Buffer {
  const content = encode(item)
  const header = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0])
  header.writeUInt32LE(content.length, 4)
  return Buffer.concat([header, content])
}

/** Values have an even length: padded with a blank, identifiers with a null (PS3.5, 6.2). */
function bytesOf ({ vr, value }: Exclude<DicomElement, { vr: 'SQ' }>): Buffer {
  if (typeof value === 'number') { const number = Buffer.alloc(2); number.writeUInt16LE(value); return number }
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([vr === 'UI' ? 0 : 0x20])])
}
