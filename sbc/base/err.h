/*
 * err: what a function of the border's logic answers besides success.
 *
 * One code, one meaning, everywhere:
 *   SBC_OK      done
 *   SBC_EBAD    the input breaks its grammar; nothing was done
 *   SBC_EMORE   the input ends before its element does
 *   SBC_ELIMIT  the input is well-formed but beyond a bound of ours
 *   SBC_EFULL   a pool, table or output has no room; nothing was done
 *   SBC_ENONE   what was asked for does not exist
 *   SBC_ESTATE  not allowed in the state the object is in
 */
#ifndef SBC_BASE_ERR_H
#define SBC_BASE_ERR_H

enum sbc_err {
	SBC_OK = 0,
	SBC_EBAD = -1,
	SBC_EMORE = -2,
	SBC_ELIMIT = -3,
	SBC_EFULL = -4,
	SBC_ENONE = -5,
	SBC_ESTATE = -6,
};

#endif
