/** What generated writers share, as text: the scratch buffer, and how values stand in it (Avro, "Binary encoding"). */
export const WRITER_RUNTIME = `'use strict'
const F64 = new Float64Array(1), F32 = new Float32Array(F64.buffer), U8 = new Uint8Array(F64.buffer)

function order (encoder) { fail('its fields were not written once each, in the order of the schema') }

class Scratch {
  constructor () { this.b = Buffer.allocUnsafeSlow(1024); this.p = 0 }
  need (bytes) {
    if (this.p + bytes <= this.b.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.b.length * 2, this.p + bytes))
    this.b.copy(larger, 0, 0, this.p)
    this.b = larger
  }
  frame (id) {
    const b = this.b
    b[0] = 0; b[1] = id >>> 24; b[2] = id >>> 16; b[3] = id >>> 8; b[4] = id
    this.p = 5
  }
  byte (v) { this.need(1); this.b[this.p++] = v }
  varint (v) {
    if (!Number.isSafeInteger(v)) fail('a long is not a whole number within 2^53')
    this.need(10)
    const b = this.b
    let p = this.p
    if (v >= -1073741824 && v < 1073741824) {
      let z = (v << 1) ^ (v >> 31)
      while (z > 127) { b[p++] = z & 127 | 128; z >>>= 7 }
      b[p++] = z
    } else {
      const m = v < 0 ? -(v + 1) : v
      const low = m % 134217728
      let high = (m - low) / 134217728
      b[p] = (low & 63) << 1 | (v < 0 ? 1 : 0) | 128
      b[p + 1] = low >> 6 & 127 | 128; b[p + 2] = low >> 13 & 127 | 128; b[p + 3] = low >> 20 & 127 | 128
      p += 4
      while (high > 127) { b[p++] = high & 127 | 128; high >>>= 7 }
      b[p++] = high
    }
    this.p = p
  }
  float (v) {
    this.need(4)
    F32[0] = v
    const b = this.b, p = this.p
    b[p] = U8[0]; b[p + 1] = U8[1]; b[p + 2] = U8[2]; b[p + 3] = U8[3]
    this.p = p + 4
  }
  double (v) {
    this.need(8)
    F64[0] = v
    const b = this.b, p = this.p
    b[p] = U8[0]; b[p + 1] = U8[1]; b[p + 2] = U8[2]; b[p + 3] = U8[3]; b[p + 4] = U8[4]; b[p + 5] = U8[5]; b[p + 6] = U8[6]; b[p + 7] = U8[7]
    this.p = p + 8
  }
  text (s) {
    const length = s.length
    if (length < 64) {
      this.need(length + 1)
      const b = this.b
      let p = this.p
      b[p++] = length << 1
      let i = 0
      for (; i < length; i++) {
        const c = s.charCodeAt(i)
        if (c > 127) break
        b[p++] = c
      }
      if (i === length) { this.p = p; return }
    }
    const bytes = Buffer.byteLength(s)
    this.varint(bytes)
    this.need(bytes)
    this.p += this.b.write(s, this.p)
  }
  bytes (b, start, end) {
    this.varint(end - start)
    this.raw(b, start, end)
  }
  raw (from, start, end) {
    const length = end - start
    if (length < 0 || start < 0 || end > from.length) fail('a range is not within its buffer')
    this.need(length)
    let p = this.p
    if (length > 32) p += from.copy(this.b, p, start, end)
    else for (let b = this.b, i = start; i < end; i++) b[p++] = from[i]
    this.p = p
  }
}
`
