/**
 * What generated readers share, as text: it is compiled together with each of them, so that the engine may inline it and its types stay theirs.
 * A position that a function has moved to comes back in `AT`. Varints are zigzag (Avro, "Binary encoding"), exact up to 2^53.
 */
export const READER_RUNTIME = `'use strict'
let AT = 0
const F64 = new Float64Array(1), F32 = new Float32Array(F64.buffer), U8 = new Uint8Array(F64.buffer)

function more (b, p, end, x) {
  const negative = (x & 1) === 1
  let v = (x & 127) >> 1
  if (end - p < 8) return checked(b, p, end, v, negative)
  x = b[p++]; v |= (x & 127) << 6
  if (x > 127) {
    x = b[p++]; v |= (x & 127) << 13
    if (x > 127) {
      x = b[p++]; v |= (x & 127) << 20
      if (x > 127) {
        x = b[p++]
        let w = x & 127
        if (x > 127) {
          x = b[p++]; w |= (x & 127) << 7
          if (x > 127) {
            x = b[p++]; w |= (x & 127) << 14
            if (x > 127) {
              x = b[p++]; w |= (x & 127) << 21
              if (x > 127) cut()
            }
          }
        }
        v += w * 134217728
        if (v > 9007199254740991) cut()
      }
    }
  }
  AT = p
  return negative ? -v - 1 : v
}

function checked (b, p, end, v, negative) {
  let unit = 64, x = 128
  while (x > 127) {
    if (p >= end || unit > 36028797018963968) cut()
    x = b[p++]
    v += (x & 127) * unit
    unit *= 128
  }
  if (v > 9007199254740991) cut()
  AT = p
  return negative ? -v - 1 : v
}

function block (b, p, end) {
  if (p >= end) cut()
  let n = b[p++]
  if (n > 127) { n = more(b, p, end, n); p = AT } else n = (n >> 1) ^ -(n & 1)
  if (n < 0) {
    n = -n
    if (p >= end) cut()
    const size = b[p++]
    if (size > 127) { if (more(b, p, end, size) < 0) cut(); p = AT } else if ((size & 1) === 1) cut()
  }
  if (n > end - p) cut()
  AT = p
  return n
}

function open (items, read, b, p, end) {
  let count = 0
  items.buffer = b
  items.$from = p
  items.$end = end
  items.$read = read
  for (let n = block(b, p, end); n > 0; n = block(b, p, end)) {
    count += n
    for (p = AT; n > 0; n--) p = read(items, b, p, end)
  }
  const after = AT
  items.rewind()
  items.$whole = count === 1
  AT = after
  return count
}

function none (items) {
  items.$from = items.$end = 0
  items.rewind()
}
`

/** How items are walked; the bytes were checked when their record was laid out. */
export const ITEMS_METHODS = `
  next () {
    if (this.$whole) { this.$whole = false; this.$more = false; return true }
    if (this.$left === 0) {
      if (!this.$more) return false
      this.$left = block(this.buffer, this.$at, this.$end)
      this.$at = AT
      if (this.$left === 0) { this.$more = false; return false }
    }
    this.$left--
    this.$at = this.$read(this, this.buffer, this.$at, this.$end)
    return true
  }
  rewind () { this.$at = this.$from; this.$left = 0; this.$more = this.$end > this.$from; this.$whole = false }
`
